/**
 * Imported first by every command: an old Node gets a sentence instead of a syntax error. Old syntax only, no imports.
 */
const needed = '20.19';
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `pitwall: this is Node ${process.versions.node}, and Pitwall needs ${needed} or newer: ` +
      'install it from https://nodejs.org and try again.\n',
  );
  process.exit(2);
}
