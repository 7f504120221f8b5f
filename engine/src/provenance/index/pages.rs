//! A file in pages, each with its own check: what is read of it is checked, and nothing else is read.
//!
//! The index of a segment is as large as a megabyte, and a look needs a few hundred bytes of it. A page ends with a tag, which
//! says whose it is, its number, and a CRC over all of that. So a page of another file, another place or another time is no
//! page of this one. Bound: a page is held for as long as the file is open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PAGE: usize = 4096;
/// Bytes of a page that hold something.
const ROOM: usize = PAGE - 16;

/// Something of an index cannot be read, or is not what was written: it is made again.
#[derive(Debug)]
pub(super) struct Unusable;

impl From<io::Error> for Unusable {
    fn from(_: io::Error) -> Unusable {
        Unusable
    }
}

/// The bytes of a file with this content.
pub(super) fn paged(content: &[u8], tag: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((content.len() / ROOM + 1) * PAGE);
    for (number, chunk) in (0_u32..).zip(content.chunks(ROOM)) {
        let start = bytes.len();
        bytes.extend_from_slice(chunk);
        bytes.resize(start + ROOM, 0);
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        let check = check_of(&bytes[start..]);
        bytes.extend_from_slice(&check.to_le_bytes());
    }
    bytes
}

/// Over all of a page but the check itself.
fn check_of(page: &[u8]) -> u32 {
    xxhash_rust::xxh3::xxh3_64(&page[..PAGE - 4]) as u32
}

#[derive(Debug)]
enum Store {
    File(File),
    /// The folder takes no file.
    Memory(Vec<u8>),
}

/// A file of pages, open for reading.
#[derive(Debug)]
pub(super) struct Pages {
    store: Store,
    tag: u64,
    read: BTreeMap<u64, Box<[u8]>>,
}

impl Pages {
    /// Opens the file of that tag.
    pub(super) fn open(path: &Path, tag: u64) -> Result<Pages, Unusable> {
        Ok(Pages { store: Store::File(File::open(path)?), tag, read: BTreeMap::new() })
    }

    /// The same in memory.
    pub(super) fn of(content: &[u8], tag: u64) -> Pages {
        Pages { store: Store::Memory(paged(content, tag)), tag, read: BTreeMap::new() }
    }

    /// Reads what stands at this offset of the content.
    pub(super) fn read(&mut self, mut offset: u64, mut to: &mut [u8]) -> Result<(), Unusable> {
        while !to.is_empty() {
            let (number, at) = (offset / ROOM as u64, (offset % ROOM as u64) as usize);
            let count = to.len().min(ROOM - at);
            let page = self.page(number)?;
            to[..count].copy_from_slice(&page[at..at + count]);
            to = &mut to[count..];
            offset += count as u64;
        }
        Ok(())
    }

    fn page(&mut self, number: u64) -> Result<&[u8], Unusable> {
        if !self.read.contains_key(&number) {
            let page = self.checked(number)?;
            self.read.insert(number, page);
        }
        Ok(&self.read[&number])
    }

    fn checked(&self, number: u64) -> Result<Box<[u8]>, Unusable> {
        let mut page = vec![0; PAGE].into_boxed_slice();
        let offset = number * PAGE as u64;
        match &self.store {
            Store::File(file) => file.read_exact_at(&mut page, offset)?,
            Store::Memory(bytes) => {
                let found = bytes.get(offset as usize..offset as usize + PAGE).ok_or(Unusable)?;
                page.copy_from_slice(found);
            }
        }
        let tag = page[ROOM..ROOM + 8] == self.tag.to_le_bytes();
        let place = u32::try_from(number).is_ok_and(|number| page[ROOM + 8..ROOM + 12] == number.to_le_bytes());
        let intact = page[ROOM + 12..] == check_of(&page).to_le_bytes();
        if tag && place && intact { Ok(page) } else { Err(Unusable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_any_changed_byte_is_seen() {
        let content: Vec<u8> = (0..3 * ROOM + 100).map(|n| (n % 251) as u8).collect();
        let bytes = paged(&content, 7);
        let read = |bytes: Vec<u8>, tag| {
            let mut pages = Pages { store: Store::Memory(bytes), tag, read: BTreeMap::new() };
            let mut to = vec![0; content.len()];
            pages.read(0, &mut to).map(|()| to)
        };
        assert_eq!(read(bytes.clone(), 7).unwrap(), content);
        assert!(read(bytes.clone(), 8).is_err(), "pages of another file");
        assert!(read(bytes[..bytes.len() - 1].to_vec(), 7).is_err(), "the end is missing");
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(read(damaged, 7).is_err(), "byte {at}");
        }
        let mut swapped = bytes.clone();
        swapped[..2 * PAGE].rotate_left(PAGE);
        assert!(read(swapped, 7).is_err(), "pages in another order");
    }
}
