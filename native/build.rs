//! Gives the library the digest of the sources that decide what crosses to TypeScript, which `boundary.txt` names. `npm
//! run generate` writes the same one for the other side (`tools/boundary-digest.ts`): a library that was built from
//! other sources is not used.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    napi_build::setup();
    println!("cargo::rerun-if-changed=boundary.txt");
    // FNV-1a: it distinguishes texts, and needs no crate here.
    let mut digest = 0x811c_9dc5_u32;
    for entry in fs::read_to_string("boundary.txt")?.lines() {
        println!("cargo::rerun-if-changed={entry}");
        for file in files(Path::new(entry))? {
            digest =
                fs::read(file)?.iter().fold(digest, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        }
    }
    println!("cargo::rustc-env=ADIT_BOUNDARY={digest:08x}");
    Ok(())
}

/// The file, or those of the folder in the order of their names.
fn files(entry: &Path) -> io::Result<Vec<PathBuf>> {
    if entry.is_file() {
        return Ok(vec![entry.to_owned()]);
    }
    let mut files = fs::read_dir(entry)?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
