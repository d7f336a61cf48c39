import { page } from "fresh";
import { Head } from "fresh/runtime";
import { CheckField, SelectField, TextField } from "../../components/kit/Field.tsx";
import { FormActions } from "../../components/image/ImageParts.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { downloadInput, poolsForImages } from "../../lib/image/images.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { storageLack } from "../(_shared)/ready.ts";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";
import { fail } from "../(_shared)/fail.ts";
import { typedIn } from "../(_shared)/typed.ts";

const { t } = textsOf(texts);

async function shown(state: PageState, typed: Record<string, string>, failure: Failure | null) {
  const pools = await state.api.getStoragePools().catch(fail);
  return {
    pools: poolsForImages(pools),
    lack: storageLack(state, pools, "/images/new", "files"),
    typed,
    failure,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state, { unpack: "yes" }, null));
  },
  async POST(ctx) {
    const form = await postedForm(ctx.req);
    try {
      const { name } = await ctx.state.api.downloadImage(downloadInput(form));
      ctx.state.notify({ is: "done", word: "download_image", name });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(ctx.state, typedIn(form), failure), { status: failure.status });
    }
    return ctx.redirect("/images", 303);
  },
});

/** Adding an image from a URL. */
export default define.page<typeof handler>(function NewImage({ data: { pools, lack, typed, failure } }) {
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("images.add_title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("images.add_title")}</h1>
      </header>
      <NotReadyBar lack={lack} />
      <Panel title={t("images.add")} class="storage-form">
        <form method="post" action="/images/new">
          <Flash tone="bad" title={t("images.download_failed")} failure={failure} />
          <div class="form-grid">
            <TextField
              label={t("images.url")}
              hint={t("images.url_hint")}
              name="url"
              type="url"
              required
              maxLength={4096}
              value={typed.url ?? ""}
              wide
            />
            <TextField
              label={t("images.checksum")}
              hint={t("images.checksum_hint")}
              name="checksum"
              maxLength={4096}
              value={typed.checksum ?? ""}
              wide
            />
            <SelectField
              label={t("images.pool")}
              name="pool"
              choices={pools.map((pool) => ({ value: pool, label: pool }))}
              value={typed.pool ?? pools[0] ?? ""}
            />
            <TextField
              label={t("images.new_name")}
              hint={t("images.new_name_hint")}
              name="name"
              maxLength={128}
              value={typed.name ?? ""}
            />
            <CheckField
              label={t("images.unpack")}
              name="unpack"
              value="yes"
              checked={typed.unpack === "yes"}
              wide
            />
          </div>
          <FormActions submit={t("images.download")} />
        </form>
      </Panel>
    </>
  );
});
