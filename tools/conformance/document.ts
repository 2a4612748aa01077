/** docs/conformance.md, whole. */
export function documentText(table: string): string {
  return `${head}\n${table}`;
}

const head = `# What the programs promise, and the tests that prove it

Written by \`npm run conformance\`; a test fails when this list and the tests differ. Tests that run over QUIC engines
run once for each engine that is built. A promise that needs minutes or millions of cases has a short test here, which
runs on every change, and a long one in \`npm run soak\` (docs/soak.md).
`;
