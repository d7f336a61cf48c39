/** Why the own state cannot be saved or put back. Told by a verb, behind its name: no capital, no full stop. */
export const state = {
  "state.unreadable": "the state in {folder} cannot be read: {reason}",
  "state.exists": "{file} exists already. Give another name; nothing is written over",
  "state.unwritable": "{file} cannot be written: {reason}",
  "state.damaged_file": "{file} cannot be put back: {reason}. Nothing was changed",
  "state.newer":
    "{file} was saved by a newer KVM Manager ({version}, version {database} of the database; this program knows {known}). Install that version or a newer one first. Nothing was changed",
  "state.not_put_back": "the state cannot be put back: {reason}. The present one stays",
  "state.part_damaged": "{part} in it is damaged ({found}). Nothing was changed",
  "state.database_unreadable": "the database in it cannot be read ({reason}). Nothing was changed",
  "state.no_manifest": "it has no manifest of a state",
  "state.too_large": "it is too large to be a state",
  "state.parts_missing": "parts are missing",
  "state.part_wrong": "its part {name} is damaged",
  "state.foreign_part": "it holds {name}, which is no state",
  "state.no_key":
    "the key of its secrets cannot be had: {reason}. Without a passphrase, the state is saved without it",
  "state.key_being_replaced": "the key of its secrets is being replaced. Restart KVM Manager, and try again",
  "state.wrong_passphrase": "the passphrase does not open the key in it. Nothing was changed",
  "state.no_database": "it holds no database",
} as const;
