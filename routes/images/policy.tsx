import { page } from "fresh";
import { Head } from "fresh/runtime";
import { CheckField, Field, TextField } from "../../components/kit/Field.tsx";
import { FormActions, ImageTabs } from "../../components/image/ImageParts.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);
const AT = "/images/policy";

export const handler = define.handlers({
  async GET({ state }) {
    const { internet, hosts, privateNames, maxImageGb, maxVirtualGb, linkedImages } = await state.api
      .getImagePolicy().catch(fail);
    const stored: Readonly<Record<string, string>> = {
      ...(internet && { internet: "yes" }),
      hosts: hosts.join("\n"),
      ...(privateNames && { privateNames: "yes" }),
      maxImageGb: String(maxImageGb),
      maxVirtualGb: String(maxVirtualGb),
      ...(linkedImages && { linkedImages: "yes" }),
    };
    return page({ stored });
  },
});

/** Page of the download policy. */
export default define.page<typeof handler>(function Policy({ data: { stored }, state }) {
  const values = typedAgain(state.refused, "set_image_policy") ?? stored;
  const errorAt = (field: string) => refusalAt(state.refused, "set_image_policy", field);
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("images.rules") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("images.rules")}</h1>
      </header>
      <ImageTabs at={AT} />
      <p class="mode-what">{t("images.rules_what")}</p>
      <Panel title={t("images.rules")} class="storage-form">
        <form method="post" action={formHref("set_image_policy", {}, AT)}>
          {/* A box that is not ticked says nothing. */}
          {["internet", "privateNames", "linkedImages"].map((name) => (
            <input key={name} type="hidden" name={name} value="no" />
          ))}
          <div class="form-grid">
            <CheckField
              label={t("images.internet")}
              name="internet"
              value="yes"
              checked={values.internet === "yes"}
              wide
            />
            <Field
              label={t("images.hosts")}
              hint={t("images.hosts_hint")}
              error={errorAt("hosts")}
              wide
              control={(ties) => (
                <textarea class="input xml-input" name="hosts" rows={4} spellcheck={false} {...ties}>
                  {values.hosts ?? ""}
                </textarea>
              )}
            />
            <CheckField
              label={t("images.private_names")}
              hint={t("images.private_names_hint")}
              name="privateNames"
              value="yes"
              checked={values.privateNames === "yes"}
              wide
            />
            <TextField
              label={t("images.max_image")}
              name="maxImageGb"
              type="number"
              min={1}
              required
              value={values.maxImageGb ?? ""}
              error={errorAt("maxImageGb")}
              suffix="GiB"
            />
            <TextField
              label={t("images.max_virtual")}
              name="maxVirtualGb"
              type="number"
              min={1}
              required
              value={values.maxVirtualGb ?? ""}
              error={errorAt("maxVirtualGb")}
              suffix="GiB"
            />
            <CheckField
              label={t("images.linked")}
              hint={t("images.linked_hint")}
              name="linkedImages"
              value="yes"
              checked={values.linkedImages === "yes"}
              wide
            />
          </div>
          <FormActions submit={t("images.save")} />
        </form>
      </Panel>
    </>
  );
});
