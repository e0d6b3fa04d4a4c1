/** Files dropped anywhere onto the page become the person's own guest. */
import { useEffect, useState } from 'react'
import { useSession } from '../session-context.ts'

export const DropZone = () => {
  const session = useSession()
  const [over, setOver] = useState(false)
  useEffect(() => {
    // Entering a child leaves its parent: only the depth tells whether files are still over the page.
    let depth = 0
    const bringsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true
    const enter = (event: DragEvent): void => {
      if (!bringsFiles(event)) return
      depth++
      setOver(true)
    }
    const leave = (): void => {
      depth = Math.max(0, depth - 1)
      if (depth === 0) setOver(false)
    }
    const hold = (event: DragEvent): void => {
      if (bringsFiles(event)) event.preventDefault()
    }
    const drop = (event: DragEvent): void => {
      depth = 0
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      session.dropFiles(files).catch((error: unknown) => session.report(String(error)))
    }
    window.addEventListener('dragenter', enter)
    window.addEventListener('dragleave', leave)
    window.addEventListener('dragover', hold)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragenter', enter)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('dragover', hold)
      window.removeEventListener('drop', drop)
    }
  }, [session])
  return over ? <div className="drop">Drop a kernel (Image or ELF), an initrd, a device tree or a snapshot</div> : null
}
