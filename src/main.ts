#!/usr/bin/env node
import { openApp, openTransfer, serve } from './app.ts';
import { runCommand } from './cli/kindred.ts';

process.exitCode = await runCommand(process.argv.slice(2), { openApp, serve, openTransfer, environment: process.env });
