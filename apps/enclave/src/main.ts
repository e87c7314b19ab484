#!/usr/bin/env node
/** The worker for production: evidence by hardware only. Nothing that is imported from here reaches the simulator. */
import { fileURLToPath } from 'node:url'
import { runCommand } from './command-line.js'
import { hardwareTee } from './hardware-tee.js'

process.exitCode = await runCommand(hardwareTee, fileURLToPath(import.meta.url), process.argv.slice(2))
