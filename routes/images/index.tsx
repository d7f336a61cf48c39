import { page } from "fresh";
import { Head } from "fresh/runtime";
import { FormActions, ImagesDone, ImagesFailure, ImageTabs } from "../../components/images/ImageParts.tsx";
import { Panel } from "../../components/Panel.tsx";
import ImageList from "../../islands/ImageList.tsx";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { imagePage, imageQuery } from "../../lib/format/images.ts";
import { oneLine } from "../../lib/format/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

/** An image that is asked about. */
interface Asked {
  readonly pool: string;
  readonly image: string;
  readonly failure: Failure | null;
}

async function shown(api: PageState["api"], params: URLSearchParams, asked: Asked | null) {
  const [list, open] = await Promise.all([api.listImages(), api.listJobs({ open: true })]).catch(fail);
  const downloads = open.filter(({ command }) => command === "download_image");
  // One that is gone needs no question, unless there is a refusal to be told.
  const isThere = asked !== null &&
    (asked.failure !== null ||
      list.images.some(({ pool, name }) => pool === asked.pool && name === asked.image));
  const query = imageQuery(params);
  return {
    list: {
      page: imagePage(list.images, query),
      hasImages: list.images.length > 0,
      unread: list.unread,
      query,
      downloads,
    },
    asked: isThere ? asked : null,
  };
}

export const handler = define.handlers({
  async GET({ state, url: { searchParams: params } }) {
    const pool = params.get("pool"), image = params.get("image");
    const asked = params.get("do") === "delete" && pool !== null && image !== null
      ? { pool, image, failure: null }
      : null;
    return page(await shown(state.api, params, asked));
  },
  /** Deletes an image. */
  async POST(ctx) {
    const form = await ctx.req.formData();
    const pool = String(form.get("pool") ?? ""), image = String(form.get("image") ?? "");
    try {
      await ctx.state.api.deleteVolume({ pool, volume: image });
    } catch (error) {
      return page(
        await shown(ctx.state.api, ctx.url.searchParams, { pool, image, failure: failureOf(error) }),
      );
    }
    return ctx.redirect("/images?done=delete", 303);
  },
});

/** The ISOs and disk images of all pools. */
export default define.page<typeof handler>(function Images({ data: { list, asked }, state, url }) {
  const { connected } = state.connection;
  const name = oneLine(asked?.image ?? "", 100);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.images") })}</title>
      </Head>
      <ImagesDone done={url.searchParams.get("done")} />
      <header class="page-head">
        <h1>{t("nav.images")}</h1>
        <div class="actions">
          <a class="button primary" href="/images/new">{area.t("images.add")}</a>
        </div>
      </header>
      <ImageTabs at="/images" />
      {asked !== null && (
        <Panel title={area.t("images.delete_title", { name })} class="storage-form">
          <form method="post" action="/images">
            <ImagesFailure failure={asked.failure} title="images.delete_failed" />
            <input type="hidden" name="pool" value={asked.pool} />
            <input type="hidden" name="image" value={asked.image} />
            <p class="calm">{area.t("images.delete_what", { name, pool: oneLine(asked.pool, 60) })}</p>
            <FormActions submit={area.t("images.delete")} danger />
          </form>
        </Panel>
      )}
      <ImageList {...list} connected={connected} />
    </>
  );
});
