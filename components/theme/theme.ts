import {
  type CSSVariablesResolver,
  colorsTuple,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
} from "@mantine/core";

/** The five states of a thing; each has an icon, words and the colour `--hf-<tone>`. */
export const tones = ["ok", "warning", "problem", "running", "unknown"] as const;
export type Tone = (typeof tones)[number];

const sea: MantineColorsTuple = [
  "#e3f3f0",
  "#c5e6e0",
  "#9bd6cc",
  "#6fcabc",
  "#3fc7b4",
  "#24a897",
  "#158c7e",
  "#0f7b6f",
  "#0b6e63",
  "#095a51",
];

/** Mantine's neutrals, from ours: light to dark, and the other way round. */
const gray: MantineColorsTuple = [
  "#f6f7f5",
  "#f1f3f0",
  "#ebeeeb",
  "#e3e6e2",
  "#cfd5d0",
  "#a9b1ac",
  "#828c86",
  "#636d68",
  "#3c4642",
  "#17211d",
];
const dark: MantineColorsTuple = [
  "#e6ece8",
  "#c5cdc8",
  "#a3afa8",
  "#93a099",
  "#35443b",
  "#243029",
  "#131a17",
  "#131a17",
  "#0f1512",
  "#0d1210",
];

const sans = '"Inter Variable", ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif';
const mono = 'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, monospace';

const dialogTitle = { fontSize: "1rem", fontWeight: 640, overflowWrap: "anywhere" } as const;

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: { light: 8, dark: 4 },
  colors: {
    sea,
    gray,
    dark,
    ok: colorsTuple("#0b6e4f"),
    warning: colorsTuple("#855600"),
    problem: colorsTuple("#b3261e"),
    running: colorsTuple("#1b5fb8"),
    unknown: colorsTuple("#636d68"),
  },
  white: "#ffffff",
  black: "#17211d",
  fontFamily: sans,
  fontFamilyMonospace: mono,
  headings: { fontFamily: sans, fontWeight: "640" },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.5" },
  defaultRadius: "md",
  radius: { xs: "4px", sm: "6px", md: "8px", lg: "11px", xl: "16px" },
  shadows: { md: "0 8px 24px rgb(0 0 0 / 12%)", xl: "0 16px 48px rgb(0 0 0 / 18%)" },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  /** Filled buttons take their text from the palette: the default would compute it from the light scheme only. */
  variantColorResolver: (input) => {
    const resolved = defaultVariantColorsResolver(input);
    const color = input.color ?? "sea";
    if (input.variant !== "filled" || !(color in FILLED_TEXT)) return resolved;
    return { ...resolved, color: FILLED_TEXT[color] ?? resolved.color };
  },
  components: {
    Button: { defaultProps: { size: "sm" }, styles: { root: { fontWeight: 600 } } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    NumberInput: { defaultProps: { size: "sm" } },
    NativeSelect: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false, comboboxProps: { shadow: "md" } } },
    MultiSelect: { defaultProps: { size: "sm", comboboxProps: { shadow: "md" } } },
    Textarea: { defaultProps: { size: "sm", rows: 3 } },
    TagsInput: { defaultProps: { size: "sm" } },
    InputWrapper: {
      styles: {
        label: { fontWeight: 560, marginBottom: 4 },
        description: { marginBottom: 4, fontSize: "0.75rem" },
      },
    },
    Modal: {
      defaultProps: { radius: "lg", centered: true, closeButtonProps: { "aria-label": "Close" } },
      styles: { title: dialogTitle },
    },
    Drawer: {
      defaultProps: { closeButtonProps: { "aria-label": "Close" } },
      styles: { title: dialogTitle },
    },
    Tooltip: { defaultProps: { openDelay: 250, events: { hover: true, focus: true, touch: true } } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
    Badge: { defaultProps: { radius: "sm", variant: "light", tt: "none" } },
    Alert: { defaultProps: { radius: "lg" } },
  },
});

const FILLED_TEXT: Record<string, string> = {
  sea: "var(--hf-on-accent)",
  ...Object.fromEntries(tones.map((tone) => [tone, "var(--hf-on-tone)"])),
};

/** Mantine's own variables from ours, so that every component follows the palette in both schemes. */
const shared: Record<string, string> = {
  "--mantine-primary-color-contrast": "var(--hf-on-accent)",
  "--mantine-color-text": "var(--hf-ink)",
  "--mantine-color-bright": "var(--hf-ink)",
  "--mantine-color-body": "var(--hf-surface)",
  "--mantine-color-dimmed": "var(--hf-ink-2)",
  "--mantine-color-placeholder": "var(--hf-ink-3)",
  "--mantine-color-error": "var(--hf-problem)",
  "--mantine-color-success": "var(--hf-ok)",
  "--mantine-color-anchor": "var(--hf-accent)",
  "--mantine-color-default": "var(--hf-surface)",
  "--mantine-color-default-hover": "var(--hf-hover)",
  "--mantine-color-default-color": "var(--hf-ink)",
  "--mantine-color-default-border": "var(--hf-line-strong)",
  "--mantine-color-disabled": "var(--hf-unknown-soft)",
  "--mantine-color-disabled-color": "var(--hf-ink-3)",
  "--mantine-color-disabled-border": "var(--hf-line)",
  "--mantine-color-sea-filled": "var(--hf-accent)",
  "--mantine-color-sea-filled-hover": "var(--hf-accent-hover)",
  "--mantine-color-sea-light": "var(--hf-accent-soft)",
  "--mantine-color-sea-light-hover": "var(--hf-accent-soft)",
  "--mantine-color-sea-light-color": "var(--hf-accent)",
  "--mantine-color-sea-outline": "var(--hf-accent)",
  "--mantine-color-sea-text": "var(--hf-accent)",
};
for (const tone of tones) {
  Object.assign(shared, {
    [`--mantine-color-${tone}-filled`]: `var(--hf-${tone})`,
    [`--mantine-color-${tone}-filled-hover`]:
      tone === "problem" ? "var(--hf-problem-hover)" : `var(--hf-${tone})`,
    [`--mantine-color-${tone}-light`]: `var(--hf-${tone}-soft)`,
    [`--mantine-color-${tone}-light-hover`]: `var(--hf-${tone}-soft)`,
    [`--mantine-color-${tone}-light-color`]: `var(--hf-${tone})`,
    [`--mantine-color-${tone}-outline`]: `var(--hf-${tone})`,
    [`--mantine-color-${tone}-text`]: `var(--hf-${tone})`,
  });
}

export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
