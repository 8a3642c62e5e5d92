"use client";
import { Kbd, Modal, Switch } from "@mantine/core";
import { consolePages, settingsPage } from "./pages";
import classes from "./shell.module.css";

/** The list of keys, and the switch for those that are single letters. Loaded when it is first opened. */
export default function ShortcutsDialog({
  opened,
  onClose,
  on,
  setOn,
}: {
  opened: boolean;
  onClose: () => void;
  on: boolean;
  setOn: (on: boolean) => void;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts">
      <dl className={classes.keys}>
        <dt>
          <Kbd>⌘</Kbd> <Kbd>K</Kbd> or <Kbd>Ctrl</Kbd> <Kbd>K</Kbd>
        </dt>
        <dd>Search, jump and act</dd>
        {[...consolePages, settingsPage].map((page) => (
          <div key={page.key} className={classes.key}>
            <dt>
              <Kbd>g</Kbd> then <Kbd>{page.key}</Kbd>
            </dt>
            <dd>{page.label}</dd>
          </div>
        ))}
        <dt>
          <Kbd>/</Kbd>
        </dt>
        <dd>Search</dd>
        <dt>
          <Kbd>?</Kbd>
        </dt>
        <dd>This list</dd>
      </dl>
      <Switch
        mt="md"
        label="Shortcuts of single keys"
        description="⌘K always works."
        checked={on}
        onChange={(event) => setOn(event.currentTarget.checked)}
      />
    </Modal>
  );
}
