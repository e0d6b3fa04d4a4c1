/** Two or three machines side by side: what the rules forecast of them, or what their kernels have said. */
import { Segments } from '../../widgets/choice.tsx'
import { usePart } from '../shared/use-part.ts'
import { ComparedLogs } from './compared-logs.tsx'
import { ComparedRegisters } from './compared-registers.tsx'
import '../../style/compare.css'

const SUBJECTS = [
  { value: 'registers', title: 'Registers' },
  { value: 'logs', title: 'Boot logs' },
] as const

const ComparePane = () => {
  const [subject, setSubject] = usePart('compare', SUBJECTS)
  const Compared = subject === 'registers' ? ComparedRegisters : ComparedLogs
  return (
    <Compared>
      <Segments label="What is compared" value={subject} options={SUBJECTS} onChange={setSubject} />
    </Compared>
  )
}

export default ComparePane
