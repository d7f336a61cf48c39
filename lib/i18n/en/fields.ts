/** What the fields of every form say by themselves. */
export const fields = {
  "fields.again": "Type it again: a password is not sent back.",
} as const;
