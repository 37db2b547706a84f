-- Where in its file a chunk stands: a page, a slide, a sheet, or the headings above it.
ALTER TABLE chunk ADD COLUMN place TEXT NOT NULL DEFAULT '';
