#!/usr/bin/env node
/** The worker with the simulated TEE. It protects nothing, and says so wherever it shows. */
import { fileURLToPath } from 'node:url'
import { runCommand } from './command-line.js'
import { simulatedTee } from './simulated-tee.js'

// The end of a run is the end of its process, whatever still waits: open questions, pipes, keys.
process.exit(await runCommand(simulatedTee, fileURLToPath(import.meta.url), process.argv.slice(2)))
