"use client";
import { Drawer } from "@mantine/core";
import { Nav } from "./nav";
import classes from "./shell.module.css";

/** The navigation on a phone. Loaded when it is first opened. */
export default function PhoneDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      size={270}
      title="Navigation"
      padding={0}
      classNames={{ header: classes.drawerHead ?? "" }}
    >
      <Nav onFollow={onClose} />
    </Drawer>
  );
}
