/** Records the host's clock while it is trusted. */
import { feature } from "../feature.ts";

/** Milliseconds until it is written down first, and from then on: the start is for others. */
const FIRST_MS = 60_000, NOTE_MS = 600_000;

export const clockFeature = feature({
  name: "clock",
  open: ({ drift }) => {
    let every = FIRST_MS;
    const run = () => {
      every = NOTE_MS;
      drift.note();
    };
    return { periodic: [{ name: "clock", every: () => every, run }], stop: () => drift.note() };
  },
});
