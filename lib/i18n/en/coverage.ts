/** Texts about what schedules, backups, alerts and rights no longer cover. */
export const coverage = {
  "coverage.uncovered": "Not there: {names}",
  "coverage.left_out": "Leaves out, since its last run: {names}",
  "coverage.owner_lost": "Does not run: {reason}",
} as const;
