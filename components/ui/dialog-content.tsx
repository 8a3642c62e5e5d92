"use client";
import { Modal } from "@mantine/core";
import type { DialogProps } from "./dialog";

/** The dialog behind Dialog. */
export default function DialogContent({ opened, children, ...modal }: DialogProps) {
  return (
    <Modal opened={opened} {...modal}>
      {children}
    </Modal>
  );
}
