//! Whole-system tests, fixtures and fuzz targets.
