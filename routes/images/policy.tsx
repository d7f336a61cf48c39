import { page } from "fresh";
import { Head } from "fresh/runtime";
import { CheckField, Field, TextField } from "../../components/Field.tsx";
import { FormActions, ImagesDone, ImagesFailure, ImageTabs } from "../../components/images/ImageParts.tsx";
import { Panel } from "../../components/Panel.tsx";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { policyInput } from "../../lib/format/images.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { typedIn } from "../(_shared)/typed.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    const { internet, hosts, maxImageGb, maxVirtualGb, linkedImages } = await state.api.getImagePolicy()
      .catch(fail);
    const values: Record<string, string> = {
      ...(internet && { internet: "yes" }),
      hosts: hosts.join("\n"),
      maxImageGb: String(maxImageGb),
      maxVirtualGb: String(maxVirtualGb),
      ...(linkedImages && { linkedImages: "yes" }),
    };
    return page({ values, failure: null as Failure | null });
  },
  async POST(ctx) {
    const form = await ctx.req.formData();
    try {
      await ctx.state.api.setImagePolicy(policyInput(form));
    } catch (error) {
      const failure = failureOf(error);
      return page({ values: typedIn(form), failure }, { status: failure.status });
    }
    return ctx.redirect("/images/policy?done=rules", 303);
  },
});

/** What may be downloaded, from where. */
export default define.page<typeof handler>(function Policy({ data: { values, failure }, url }) {
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("images.rules") })}</title>
      </Head>
      <ImagesDone done={url.searchParams.get("done")} />
      <header class="page-head">
        <h1>{t("images.rules")}</h1>
      </header>
      <ImageTabs at="/images/policy" />
      <p class="mode-what">{t("images.rules_what")}</p>
      <Panel title={t("images.rules")} class="storage-form">
        <form method="post" action="/images/policy">
          <ImagesFailure failure={failure} title="images.rules_failed" />
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
              wide
              control={(ties) => (
                <textarea class="input xml-input" name="hosts" rows={4} spellcheck={false} {...ties}>
                  {values.hosts ?? ""}
                </textarea>
              )}
            />
            <TextField
              label={t("images.max_image")}
              name="maxImageGb"
              type="number"
              min={1}
              required
              value={values.maxImageGb ?? ""}
              suffix="GiB"
            />
            <TextField
              label={t("images.max_virtual")}
              name="maxVirtualGb"
              type="number"
              min={1}
              required
              value={values.maxVirtualGb ?? ""}
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
