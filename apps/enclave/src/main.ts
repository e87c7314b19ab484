#!/usr/bin/env node
/** The worker for production: evidence by hardware only. Nothing that is imported from here reaches the simulator. */
import { fileURLToPath } from 'node:url'
import { runCommand } from './command-line.js'
import { hardwareTee } from './hardware-tee.js'

// The end of a run is the end of its process, whatever still waits: open questions, pipes, keys.
process.exit(await runCommand(hardwareTee, fileURLToPath(import.meta.url), process.argv.slice(2)))
