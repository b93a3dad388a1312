/** Filled and emptied again: so the file has pages without content for times in which the disk has no room. */
export const reserve = `
  CREATE TABLE reserve (
    content BLOB NOT NULL
  ) STRICT;
`;
