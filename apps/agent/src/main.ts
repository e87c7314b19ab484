#!/usr/bin/env node
import { vendorHardware } from '#libs/attestation'
import { processWorld } from './cli/process-world.js'
import { runCommandLine } from './cli/program.js'
import { packageVersion } from './cli/version.js'

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  processWorld(vendorHardware),
  await packageVersion(),
)
