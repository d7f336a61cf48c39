import { page } from "fresh";
import { Head } from "fresh/runtime";
import { PoolForms } from "../../components/storage/PoolForms.tsx";
import { storageDoneText, StorageFailure, StorageStarted } from "../../components/storage/StorageForm.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { UnfinishedUploads } from "../../components/storage/UnfinishedUploads.tsx";
import { isOn } from "../../components/storage/PoolParts.tsx";
import StorageUpload from "../../islands/StorageUpload.tsx";
import StorageVolumes from "../../islands/StorageVolumes.tsx";
import { ApiError } from "../../lib/client/api.ts";
import type { StorageVolume, UnfinishedUpload } from "../../lib/contract/mod.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { isStorageAction, STORAGE_ACTIONS, type StorageAction } from "../../lib/storage/forms.ts";
import { nameIn } from "../../lib/text/path_segment.ts";
import { oneLine } from "../../lib/text/text.ts";
import { pageQuery } from "../../lib/text/list_page.ts";
import { volumePage } from "../../lib/storage/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { soon } from "../(_shared)/soon.ts";
import { typedIn } from "../(_shared)/typed.ts";

const own = textsOf(texts);

/** A form that is shown, and what was refused in it. */
interface Asked {
  readonly formAction: StorageAction;
  readonly typed: Record<string, string>;
  readonly failure: Failure | null;
}

/** Milliseconds the page waits for the volumes: what can be done about a storage that hangs is on it. */
const PAGE_WAIT_MS = 2500;

/** A storage that does not answer is said on the page; the pool can still be stopped there. */
async function volumesOf(api: PageState["api"], pool: string) {
  try {
    const asked = api.getVolumes({ pool });
    if (!await soon(asked, PAGE_WAIT_MS)) {
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

/** Uploads that are not whole; null for who may look at the pool and not upload to it. */
async function uploadsOf(api: PageState["api"], pool: string): Promise<readonly UnfinishedUpload[] | null> {
  try {
    return await api.listUploads({ pool });
  } catch (error) {
    if (failureOf(error).status === 403) return null;
    throw error;
  }
}

async function shown(api: PageState["api"], name: string, params: URLSearchParams, asked: Asked | null) {
  const pool = await api.getStoragePool({ pool: name }).catch(fail);
  const { volumes, unread } = await volumesOf(api, name);
  const query = pageQuery(params);
  const wanted = asked?.typed.volume;
  const wantsUpload = params.get("do") === "upload" && isOn(pool) && !pool.fixed;
  return {
    pool,
    query,
    unread,
    page: volumePage(volumes, query),
    uploads: wantsUpload ? await uploadsOf(api, name) : null,
    form: asked === null ? null : {
      ...asked,
      volume: volumes.find((each) => each.name === wanted),
      volumes: asked.formAction === "create_volume" ? volumes : [],
    },
  };
}

export const handler = define.handlers({
  async GET({ state, url, params }) {
    const formAction = url.searchParams.get("do");
    const volume = url.searchParams.get("volume");
    const asked = isStorageAction(formAction)
      ? { formAction, typed: volume === null ? {} as Record<string, string> : { volume }, failure: null }
      : null;
    return page(await shown(state.api, nameIn(params.pool ?? ""), url.searchParams, asked));
  },
  async POST(ctx) {
    const form = await ctx.req.formData();
    const formAction = form.get("action");
    const pool = nameIn(ctx.params.pool ?? "");
    if (!isStorageAction(formAction)) return ctx.redirect(ctx.url.pathname, 303);
    let isOver = true;
    try {
      const work = STORAGE_ACTIONS[formAction].run(ctx.state.api, pool, form);
      isOver = "isJob" in STORAGE_ACTIONS[formAction] ? await soon(work, SOON_MS) : (await work, true);
    } catch (error) {
      const asked = { formAction, typed: typedIn(form), failure: failureOf(error) };
      return page(await shown(ctx.state.api, pool, ctx.url.searchParams, asked));
    }
    if (!isOver) return ctx.redirect(`${ctx.url.pathname}?started=${formAction}`, 303);
    const leaves = "leaves" in STORAGE_ACTIONS[formAction];
    const back = ctx.url.searchParams.get("do") === "upload" ? "&do=upload" : "";
    return ctx.redirect(`${leaves ? "/storage" : ctx.url.pathname}?done=${formAction}${back}`, 303);
  },
});

/** Milliseconds a form waits for long work: a refusal comes by then, and so does the end of what is small. */
const SOON_MS = 1500;

/** Deeds that have a form of their own, where a refusal is said. */
const WITH_FORM: ReadonlySet<StorageAction> = new Set([
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
  const { pool, query, unread, page, uploads, form } = data;
  const hasForm = form !== null && WITH_FORM.has(form.formAction) &&
    (form.formAction === "delete" || form.formAction === "create_volume" || form.volume !== undefined);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(pool.name, 60) })}</title>
      </Head>
      <Flash tone="ok">{storageDoneText(url.searchParams.get("done"))}</Flash>
      <StorageStarted started={url.searchParams.get("started")} />
      <StorageFailure failure={unread ?? (hasForm ? null : form?.failure ?? null)} />
      {uploads !== null && !hasForm && (
        <>
          <StorageUpload pool={pool.name} server={url.origin + state.base} />
          <UnfinishedUploads pool={pool.name} uploads={uploads} />
        </>
      )}
      {hasForm && <PoolForms pool={pool} {...form} />}
      <StorageVolumes pool={pool} page={page} query={query} connected={state.connection.connected} />
    </>
  );
});
