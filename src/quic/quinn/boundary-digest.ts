/** Of the Rust sources that addon.ts speaks to, written by `npm run generate`. An addon that has another one was built from others. */
export const boundaryDigest = '153144f3';
