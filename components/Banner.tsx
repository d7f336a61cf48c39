import { Icon } from "./Icon.tsx";
import type { IconName } from "./icons.ts";

/** Props of {@link Banner}. */
export interface BannerProps {
  tone: "info" | "warn" | "bad";
  icon: IconName;
  title: string;
  text: string;
  /** What it means for this page. */
  more?: string;
}

/** A line across the page about the state of the whole. */
export function Banner({ tone, icon, title, text, more }: BannerProps) {
  return (
    <div class="banner" data-tone={tone}>
      <Icon name={icon} />
      <p>
        <strong>{title}</strong> {text} {more}
      </p>
    </div>
  );
}
