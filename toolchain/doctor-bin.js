#!/usr/bin/env node
// `make doctor` without make, for cron and monitoring: its exit code is the doctor's own. A plain JavaScript file, because
// nothing can read TypeScript before it ran; the loader of the providers does that for the whole package.
const load = require("../providers/load.js");

load("../toolchain/doctor")
  .main(process.argv.slice(2))
  .then((exitCode) => {
    process.exitCode = exitCode;
    // A server that hangs keeps its connection open.
    setTimeout(() => process.exit(), 500).unref();
  });
