#!/usr/bin/env node
import { openApp, serve } from './app.ts';
import { runCommand } from './cli/kindred.ts';

process.exitCode = await runCommand(process.argv.slice(2), { openApp, serve, environment: process.env });
