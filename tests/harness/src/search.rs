//! Looks for words where they must not be: as they are, in base64 and in
//! hexadecimal, in any file.

use crate::Result;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Shorter words turn up in random bytes by chance and are not searched for:
/// give people long names.
const SHORTEST: usize = 8;

/// Words and the forms that they could take.
#[derive(Debug)]
pub struct Search {
    needles: Vec<(String, Vec<u8>)>,
}

impl Search {
    pub fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut needles = Vec::new();
        for word in words.filter(|word| word.len() >= SHORTEST) {
            for form in forms(word) {
                needles.push((word.to_owned(), form));
            }
        }
        Self { needles }
    }

    /// What is found in any file below `folder`: where, and which word.
    pub fn folder(&self, folder: &Path) -> Result<BTreeSet<(String, String)>> {
        let mut found = BTreeSet::new();
        for path in files_below(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path);
            found.extend(self.bytes(&name.to_string_lossy(), &fs::read(&path)?));
        }
        Ok(found)
    }

    /// What is found in `bytes`.
    pub fn bytes(&self, place: &str, bytes: &[u8]) -> BTreeSet<(String, String)> {
        self.needles
            .iter()
            .filter(|(_, form)| contains(bytes, form))
            .map(|(word, _)| (place.to_owned(), word.clone()))
            .collect()
    }
}

/// All plain files below `folder`; none if there is no such folder.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

/// The word itself, its hexadecimal forms, and its base64 forms at each of the
/// three places where it can begin in a group of three bytes.
fn forms(word: &str) -> Vec<Vec<u8>> {
    let bytes = word.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for skip in 0..3 {
        // Whole groups only: their letters do not depend on the neighbors.
        let groups = (bytes.len() - skip) / 3;
        let inner = &bytes[skip..skip + groups * 3];
        forms.push(STANDARD_NO_PAD.encode(inner).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(inner).into_bytes());
    }
    forms
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else {
        return false;
    };
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| *byte == first)
        .any(|(at, _)| bytes[at..].starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_form_and_at_every_offset() {
        let search = Search::new(["second site"].into_iter());
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}second site, measured twice");
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [text.clone(), hex, STANDARD_NO_PAD.encode(&text)] {
                let found = search.bytes("here", form.as_bytes());
                assert_eq!(found.len(), 1, "not found in {form}");
            }
        }
        assert!(search.bytes("here", b"another site").is_empty());
    }
}
