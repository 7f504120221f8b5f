//! The pure logic of the line: books and bars.
