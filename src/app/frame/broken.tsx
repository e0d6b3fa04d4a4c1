import { Component } from 'react'
import type { ReactNode } from 'react'

interface State {
  readonly what: string | undefined
}

/** A pane that fails says so in its place, and leaves the others and the machine alone. */
export class Broken extends Component<{ readonly title: string; readonly children: ReactNode }, State> {
  override state: State = { what: undefined }

  static getDerivedStateFromError(error: unknown): State {
    return { what: error instanceof Error ? error.message : String(error) }
  }

  override render(): ReactNode {
    const { what } = this.state
    if (what === undefined) return this.props.children
    return (
      <div className="empty" role="alert">
        <p>
          <span className="bad">✕</span> The pane “{this.props.title}” stopped: {what}
        </p>
        <button className="button small" onClick={() => this.setState({ what: undefined })}>
          Show it again
        </button>
      </div>
    )
  }
}
