/** A KVM Manager in the test's own process that others can link to: it listens by HTTPS on loopback. */
import { entry, type Pages } from "../../agent/http/entry.ts";
import { type Listeners, listenersOf } from "../../agent/http/listeners.ts";
import type { Api } from "../../lib/contract/api.ts";
import { appHere, settingsHere } from "./app_here.ts";

const NO_PAGES: Pages = () => Promise.resolve(new Response("no pages here", { status: 404 }));

/** Starts one. @param uri of its libvirt */
export async function linkable(uri?: string, pages: Pages = NO_PAGES) {
  await using undo = new AsyncDisposableStack();
  const here = undo.use(await appHere([], uri));
  const { app, dataDir } = here;
  let doors: Listeners | undefined, close: (() => Promise<void>) | undefined;
  /** Listens, once more at the same address. */
  const listen = async (port = doors === undefined ? 0 : Number(new URL(doors.address).port)) => {
    doors = await listenersOf({ ...settingsHere(dataDir), listen: [`https://127.0.0.1:${port}`] });
    const [listener] = await doors.open(entry(app, pages), app.admit);
    close = () => listener!.close();
    app.doors = doors;
  };
  const unlisten = async () => {
    await close?.();
    close = undefined;
  };
  await listen();
  undo.defer(unlisten);
  const kept = undo.move();
  return {
    ...here,
    url: doors!.address,
    listen,
    unlisten,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export type Linkable = Awaited<ReturnType<typeof linkable>>;

/** Has one be invited, and the other join. @returns the id of the link */
export async function linkTo(
  from: { readonly api: Api },
  to: Pick<Linkable, "api" | "url">,
  { name = "far", role = "administrator" as "administrator" | "operator" | "viewer" } = {},
): Promise<string> {
  const { invitation } = await to.api.inviteHost({ address: to.url, role });
  await from.api.joinHost({ name, invitation });
  return name;
}
