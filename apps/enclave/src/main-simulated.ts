#!/usr/bin/env node
/** The worker with the simulated TEE. It protects nothing, and says so wherever it shows. */
import { fileURLToPath } from 'node:url'
import { runCommand } from './command-line.js'
import { simulatedTee } from './simulated-tee.js'

process.exitCode = await runCommand(simulatedTee, fileURLToPath(import.meta.url), process.argv.slice(2))
