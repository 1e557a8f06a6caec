#!/usr/bin/env node
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const main = join(__dirname, '..', 'dist', 'src', 'cli', 'main.js');
if (existsSync(main)) {
  require(main);
} else {
  console.error('Troth is not built yet. Run "npm start" (or "npm run build") first.');
  process.exitCode = 69;
}
