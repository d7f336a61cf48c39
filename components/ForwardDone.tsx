import { forwardDeed } from "../lib/format/forwards.ts";
import { forwards } from "../lib/i18n/en/forwards.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

const { t } = textsOf(forwards);

/** What the form that led here did to a port forward, from `?forward=`: a word of ours, whatever the address says. */
export function ForwardDone({ params }: { params: URLSearchParams }) {
  const text = forwardDeed(params.get("forward"))?.done;
  if (text === undefined) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{t(text)}</span>
    </p>
  );
}
