import { Dialog } from 'radix-ui'

const KEYS = [
  ['Ctrl F6', 'leaves the console, where Tab belongs to the guest'],
  ['Ctrl Shift F', 'searches the console'],
  ['Ctrl Shift C', 'copies what is selected in the console'],
  ['Ctrl Shift V', 'pastes into the console'],
  ['↑ ↓', 'move in the tree of affinities'],
  ['?', 'shows this, outside of the console'],
] as const

export const HelpDialog = (props: { readonly open: boolean; readonly onOpenChange: (open: boolean) => void }) => (
  <Dialog.Root open={props.open} onOpenChange={props.onOpenChange}>
    <Dialog.Portal>
      <Dialog.Overlay className="overlay" />
      <Dialog.Content className="dialog">
        <Dialog.Title asChild>
          <h2>GICscope</h2>
        </Dialog.Title>
        <Dialog.Description className="dim">
          A virtual machine with an arm64 CPU and a GICv3, in this page, and a view of how its interrupts find their
          CPUs. An edit is for the next boot, or a KVM call on the running machine; KVM answers by the rule set you
          chose.
        </Dialog.Description>
        <dl>
          {KEYS.map(([key, what]) => (
            <div key={key} style={{ display: 'contents' }}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <Dialog.Close className="button">Close</Dialog.Close>
      </Dialog.Content>
    </Dialog.Portal>
  </Dialog.Root>
)
