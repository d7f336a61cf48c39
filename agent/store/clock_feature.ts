/** What the host's clock said when it was trusted last. */
import { feature } from "../feature.ts";

/** Milliseconds between two times that are written down. */
const NOTE_MS = 600_000;

export const clockFeature = feature({
  name: "clock",
  open: ({ drift }) => ({ periodic: [{ name: "clock", every: () => NOTE_MS, run: () => drift.note() }] }),
});
