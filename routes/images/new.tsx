import { page } from "fresh";
import { Head } from "fresh/runtime";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";
import { FormActions } from "../../components/image/ImageParts.tsx";
import { ContractField } from "../../components/kit/ContractField.tsx";
import { CheckField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { poolsForImages } from "../../lib/image/images.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { commandFields } from "../../lib/text/command_fields.ts";
import { fieldTexts } from "../../lib/text/field_texts.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt } from "../../lib/text/refused_form.ts";
import { fail } from "../(_shared)/fail.ts";
import { storageLack } from "../(_shared)/ready.ts";

const { t } = textsOf(texts);
const DOWNLOAD = commandFields("download_image");
const fields = fieldTexts(texts);
/** Names of the checksum fields, of which one is filled in: a checksum, or the address of one. */
const CHECKSUMS = ["sha256", "sha512", "checksumUrl"];

export const handler = define.handlers({
  async GET({ state }) {
    const pools = await state.api.getStoragePools().catch(fail);
    return page({ pools: poolsForImages(pools), lack: storageLack(state, pools, "/images/new", "files") });
  },
});

/** Adding an image from a URL. */
export default define.page<typeof handler>(function NewImage({ data: { pools, lack }, state: { refused } }) {
  const errorAt = (field: string) => refusalAt(refused, "download_image", field);
  const errorOf = (field: string) =>
    [field, ...field === "sha256" ? CHECKSUMS : []].map(errorAt).find(Boolean);
  const form = { of: DOWNLOAD, texts: fields, errorOf };
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
        <form method="post" action={formHref("download_image", {}, "/images", "/images/new")}>
          <div class="form-grid">
            <ContractField form={form} field="url" type="url" isNeeded wide />
            <ContractField form={form} field="sha256" wide />
            <ContractField
              form={form}
              field="pool"
              label={t("images.pool")}
              choices={pools.map((pool) => ({ value: pool, label: pool }))}
              value={pools[0] ?? ""}
            />
            <ContractField form={form} field="name" />
            <input type="hidden" name="unpack" value="never" />
            <CheckField
              label={fields.label("unpack", "download_image")}
              name="unpack"
              value="auto"
              defaultChecked
              wide
            />
          </div>
          <FormActions submit={t("images.download")} />
        </form>
      </Panel>
    </>
  );
});
