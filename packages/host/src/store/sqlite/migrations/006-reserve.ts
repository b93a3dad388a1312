/** A table that is filled and emptied again, so that the file has free pages when the disk is full. */
export const reserve = `
  CREATE TABLE reserve (
    content BLOB NOT NULL
  ) STRICT;
`;
