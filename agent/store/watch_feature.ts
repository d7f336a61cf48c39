/** That the files of the database are still in their places. */
import { feature } from "../feature.ts";

/** Milliseconds from one look to the next. */
const LOOK_MS = 2000;

export const databaseWatchFeature = feature({
  name: "database_watch",
  open: ({ store }) => ({ periodic: [{ name: "database", every: () => LOOK_MS, run: () => store.check() }] }),
});
