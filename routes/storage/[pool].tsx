import { page } from "fresh";
import { Head } from "fresh/runtime";
import { PoolForms } from "../../components/storage/PoolForms.tsx";
import { StorageDone, StorageFailure, StorageStarted } from "../../components/storage/StorageForm.tsx";
import { isOn } from "../../components/storage/PoolTable.tsx";
import StorageUpload from "../../islands/StorageUpload.tsx";
import StorageVolumes from "../../islands/StorageVolumes.tsx";
import { ApiError } from "../../lib/client/api.ts";
import type { StorageVolume } from "../../lib/contract/mod.ts";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { isStorageDeed, STORAGE_DEEDS, type StorageDeed } from "../../lib/format/storage_forms.ts";
import { nameIn } from "../../lib/format/path_segment.ts";
import { oneLine } from "../../lib/format/text.ts";
import { pageQuery } from "../../lib/format/list_page.ts";
import { volumePage } from "../../lib/format/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { typedIn } from "../(_shared)/typed.ts";

const own = textsOf(texts);

/** A form that is shown, and what was refused in it. */
interface Asked {
  readonly deed: StorageDeed;
  readonly typed: Record<string, string>;
  readonly failure: Failure | null;
}

/** Milliseconds the page waits for the volumes: what can be done about a storage that hangs is on it. */
const PATIENCE_MS = 2500;

/** A storage that does not answer is said on the page; the pool can still be stopped there. */
async function volumesOf(api: PageState["api"], pool: string) {
  try {
    const asked = api.getVolumes({ pool });
    if (!await soon(asked, PATIENCE_MS)) {
      throw new ApiError("LibvirtTimeout", own.t("storage.silent", { pool: oneLine(pool, 60) }));
    }
    return { volumes: await asked, unread: null };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === "StoragePoolNotFound") fail(error);
    const none: StorageVolume[] = [];
    return { volumes: none, unread: failure.code === "StoragePoolNotActive" ? null : failure };
  }
}

async function shown(api: PageState["api"], name: string, params: URLSearchParams, asked: Asked | null) {
  const pool = await api.getStoragePool({ pool: name }).catch(fail);
  const { volumes, unread } = await volumesOf(api, name);
  const query = pageQuery(params);
  const wanted = asked?.typed.volume;
  return {
    pool,
    query,
    unread,
    page: volumePage(volumes, query),
    form: asked === null ? null : {
      ...asked,
      volume: volumes.find((each) => each.name === wanted),
      volumes: asked.deed === "create_volume" ? volumes : [],
    },
  };
}

export const handler = define.handlers({
  async GET({ state, url, params }) {
    const deed = url.searchParams.get("do");
    const volume = url.searchParams.get("volume");
    const asked = isStorageDeed(deed)
      ? { deed, typed: volume === null ? {} as Record<string, string> : { volume }, failure: null }
      : null;
    return page(await shown(state.api, nameIn(params.pool ?? ""), url.searchParams, asked));
  },
  async POST(ctx) {
    const form = await ctx.req.formData();
    const deed = form.get("action");
    const pool = nameIn(ctx.params.pool ?? "");
    if (!isStorageDeed(deed)) return ctx.redirect(ctx.url.pathname, 303);
    let isOver = true;
    try {
      const work = STORAGE_DEEDS[deed].run(ctx.state.api, pool, form);
      isOver = "isJob" in STORAGE_DEEDS[deed] ? await soon(work, SOON_MS) : (await work, true);
    } catch (error) {
      const asked = { deed, typed: typedIn(form), failure: failureOf(error) };
      return page(await shown(ctx.state.api, pool, ctx.url.searchParams, asked));
    }
    if (!isOver) return ctx.redirect(`${ctx.url.pathname}?started=${deed}`, 303);
    const leaves = "leaves" in STORAGE_DEEDS[deed];
    return ctx.redirect(`${leaves ? "/storage" : ctx.url.pathname}?done=${deed}`, 303);
  },
});

/** Milliseconds a form waits for long work: a refusal comes by then, and so does the end of what is small. */
const SOON_MS = 1500;

/** Whether work was done within so many milliseconds; what it comes to later is nobody's here. @throws what it fails with */
async function soon(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = await Promise.race([work.then(() => true), limit]).finally(() => clearTimeout(timer));
  if (!done) work.catch(() => {/* told by its job, or by the next look */});
  return done;
}

/** Deeds that have a form of their own, where a refusal is said. */
const WITH_FORM: ReadonlySet<StorageDeed> = new Set([
  "delete",
  "create_volume",
  "resize",
  "clone",
  "convert",
  "wipe",
  "delete_volume",
]);

/** A storage pool and its volumes. */
export default define.page<typeof handler>(function Pool({ data, state, url }) {
  const { pool, query, unread, page, form } = data;
  const hasForm = form !== null && WITH_FORM.has(form.deed) &&
    (form.deed === "delete" || form.deed === "create_volume" || form.volume !== undefined);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(pool.name, 60) })}</title>
      </Head>
      <StorageDone done={url.searchParams.get("done")} />
      <StorageStarted started={url.searchParams.get("started")} />
      <StorageFailure failure={unread ?? (hasForm ? null : form?.failure ?? null)} />
      {url.searchParams.get("do") === "upload" && form === null && isOn(pool) && !pool.fixed && (
        <StorageUpload pool={pool.name} origin={url.origin} />
      )}
      {hasForm && <PoolForms pool={pool} {...form} />}
      <StorageVolumes pool={pool} page={page} query={query} connected={state.connection.connected} />
    </>
  );
});
