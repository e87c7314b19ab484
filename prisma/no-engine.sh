#!/bin/sh
# Stands where Prisma expects its native schema engine; see prisma.config.ts.
exit 0
