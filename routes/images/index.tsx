import { page } from "fresh";
import { Head } from "fresh/runtime";
import { FormActions, ImageTabs } from "../../components/image/ImageParts.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import ImageList from "../../islands/ImageList.tsx";
import StorageUpload from "../../islands/StorageUpload.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { imagePage, imageQuery, poolsForImages } from "../../lib/image/images.ts";
import { oneLine } from "../../lib/text/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { uploads as uploadTexts } from "../../lib/i18n/en/uploads.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { storageLack } from "../(_shared)/ready.ts";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts), uploads = textsOf(uploadTexts);

/** An image that is asked about. */
interface Asked {
  readonly pool: string;
  readonly image: string;
}

async function shown({ api, may }: PageState, params: URLSearchParams, asked: Asked | null) {
  const mayUpload = may("upload_volume") && may("get_storage_pools");
  const query = imageQuery(params);
  const [list, open, pools] = await Promise.all([
    api.listImages({ vmDisks: query.vmDisks }),
    api.listJobs({ open: true }),
    may("get_storage_pools") ? api.getStoragePools() : null,
  ]).catch(fail);
  const downloads = open.filter(({ command }) => command === "download_image");
  // One that is gone needs no question.
  const isThere = asked !== null &&
    list.images.some(({ pool, name }) => pool === asked.pool && name === asked.image);
  return {
    list: {
      page: imagePage(list.images, query),
      hasImages: list.images.length > 0,
      unread: list.unread,
      query,
      downloads,
    },
    asked: isThere ? asked : null,
    uploadPools: poolsForImages(pools ?? []),
    lack: pools && storageLack({ may }, pools, "/images", "files"),
    mayUpload,
  };
}

export const handler = define.handlers({
  async GET({ state, url: { searchParams: params } }) {
    const pool = params.get("pool"), image = params.get("image");
    const asked = params.get("do") === "delete" && pool !== null && image !== null ? { pool, image } : null;
    return page(await shown(state, params, asked));
  },
});

/** The ISOs and disk images of all pools. */
export default define.page<typeof handler>(function Images({ data, state, url }) {
  const { list, asked, uploadPools, lack, mayUpload } = data;
  const isUpload = url.searchParams.get("do") === "upload" && uploadPools.length > 0;
  const { connected } = state.connection;
  const name = oneLine(asked?.image ?? "", 100);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.images") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("nav.images")}</h1>
        <div class="actions">
          {mayUpload && <a class="button" href="/images?do=upload">{uploads.t("uploads.upload")}</a>}
          {state.may("download_image") && (
            <a class="button primary" href="/images/new">{area.t("images.add")}</a>
          )}
        </div>
      </header>
      <ImageTabs at="/images" />
      <NotReadyBar lack={lack} />
      {isUpload && <StorageUpload pools={uploadPools} closeHref="/images" server={url.origin} />}
      {asked !== null && (
        <Panel title={area.t("images.delete_title", { name })} class="storage-form">
          <form
            method="post"
            action={formHref(
              "delete_volume",
              { pool: asked.pool, volume: asked.image, confirmed: "yes" },
              "/images",
              url.pathname + url.search,
            )}
          >
            <p class="text-muted pad">
              {area.t("images.delete_what", { name, pool: oneLine(asked.pool, 60) })}
            </p>
            <FormActions submit={area.t("images.delete")} danger />
          </form>
        </Panel>
      )}
      <ImageList {...list} connected={connected} mayAdd={state.may("download_image")} mayUpload={mayUpload} />
    </>
  );
});
