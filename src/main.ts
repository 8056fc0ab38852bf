#!/usr/bin/env node
import { openApp, openTransfer } from './app.ts';
import { runCommand } from './cli/kindred.ts';
import { serve } from './serve.ts';

process.exitCode = await runCommand(process.argv.slice(2), { openApp, serve, openTransfer, environment: process.env });
