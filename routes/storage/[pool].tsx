import { page } from "fresh";
import { Head } from "fresh/runtime";
import { isPoolForm, PoolForms } from "../../components/storage/PoolForms.tsx";
import { StorageFailure } from "../../components/storage/StorageForm.tsx";
import { UnfinishedUploads } from "../../components/storage/UnfinishedUploads.tsx";
import { canStop } from "../../components/storage/PoolParts.tsx";
import StorageUpload from "../../islands/StorageUpload.tsx";
import StorageVolumes from "../../islands/StorageVolumes.tsx";
import { ApiError } from "../../lib/client/api.ts";
import type { StorageVolume, UnfinishedUpload } from "../../lib/contract/mod.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { nameIn } from "../../lib/text/path_segment.ts";
import { hangOfPool } from "../../lib/hangs/objects.ts";
import { oneLine } from "../../lib/text/text.ts";
import { poolHref } from "../../lib/storage/pool_href.ts";
import { pageQuery } from "../../lib/text/list_page.ts";
import { volumePage } from "../../lib/storage/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";
import { finishesWithin } from "../(_shared)/long_work.ts";

const own = textsOf(texts);

/** Milliseconds the page waits for the volumes: what can be done about a storage that hangs is on it. */
const PAGE_WAIT_MS = 2500;

/** A storage that does not answer is said on the page; the pool can still be stopped there. */
async function volumesOf(api: PageState["api"], pool: string) {
  try {
    const asked = api.getVolumes({ pool });
    if (!await finishesWithin(asked, PAGE_WAIT_MS)) {
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

async function shown(api: PageState["api"], name: string, params: URLSearchParams) {
  const pool = await api.getStoragePool({ pool: name }).catch(fail);
  const { volumes, unread } = await volumesOf(api, name);
  const hangs = await api.listHangs().catch(unlessAway);
  const isHung = hangOfPool(hangs ?? [], pool) !== undefined;
  const query = pageQuery(params), wanted = params.get("do");
  const wantsUpload = wanted === "upload" && canStop(pool) && !pool.fixed;
  return {
    pool,
    query,
    hangs,
    // The page says it already
    unread: isHung ? null : unread,
    page: volumePage(volumes, query),
    uploads: wantsUpload ? await uploadsOf(api, name) : null,
    form: !isPoolForm(wanted) ? null : {
      form: wanted,
      volume: volumes.find((each) => each.name === params.get("volume")),
      volumes: wanted === "create_volume" ? volumes : [],
    },
  };
}

export const handler = define.handlers({
  async GET({ state, url, params }) {
    return page(await shown(state.api, nameIn(params.pool ?? ""), url.searchParams));
  },
});

/** A storage pool and its volumes. */
export default define.page<typeof handler>(function Pool({ data, state, url }) {
  const { pool, query, hangs, unread, page, uploads, form } = data;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(pool.name, 60) })}</title>
      </Head>
      <StorageFailure failure={unread} />
      {uploads !== null && (
        <>
          <StorageUpload
            pools={[pool.name]}
            closeHref={poolHref(pool.name)}
            server={url.origin}
          />
          <UnfinishedUploads pool={pool.name} uploads={uploads} />
        </>
      )}
      {form !== null && <PoolForms pool={pool} {...form} refused={state.refused} />}
      <StorageVolumes
        pool={pool}
        page={page}
        query={query}
        hangs={hangs}
        connected={state.connection.connected}
        now={Date.now()}
      />
    </>
  );
});
