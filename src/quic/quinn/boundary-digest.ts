/** Of the Rust sources of native/boundary.txt, by `npm run generate`. An addon with another one is refused. */
export const boundaryDigest = '8643b9f2';
