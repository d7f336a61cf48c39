/** A KVM Manager in the test's own process that others can link to: it listens by HTTPS on loopback. */
import { entry, type Pages } from "../../agent/http/entry.ts";
import { listenersOf } from "../../agent/http/listeners.ts";
import type { Api } from "../../lib/contract/api.ts";
import { appHere, settingsHere } from "./app_here.ts";

const NO_PAGES: Pages = () => Promise.resolve(new Response("no pages here", { status: 404 }));

/** Starts one. @param uri of its libvirt @param port to be reached at; any free one when left out */
export async function linkable(uri?: string, pages: Pages = NO_PAGES, port = 0) {
  await using undo = new AsyncDisposableStack();
  const here = undo.use(await appHere([], uri));
  const { app, dataDir } = here;
  const doors = await listenersOf({ ...settingsHere(dataDir), listen: [`https://127.0.0.1:${port}`] });
  const [listener] = await doors.open(entry(app, pages), app.consoles.admit);
  undo.defer(() => listener!.close());
  app.doors = doors;
  const kept = undo.move();
  return {
    ...here,
    url: doors.address,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Has one be invited, and the other join. @returns the id of the link */
export async function linkTo(from: { api: Api }, to: { api: Api; url: string }, name = "far"): Promise<string> {
  const { invitation } = await to.api.inviteHost({ address: to.url });
  await from.api.joinHost({ name, invitation });
  return name;
}
