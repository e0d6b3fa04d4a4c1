/** Two or three machines side by side: what the rules forecast of them, or what their kernels have said. */
import { useState } from 'react'
import { Segments } from '../../widgets/choice.tsx'
import { ComparedLogs } from './compared-logs.tsx'
import { ComparedRegisters } from './compared-registers.tsx'
import '../../style/compare.css'

const SUBJECTS = [
  { value: 'registers', title: 'Registers' },
  { value: 'logs', title: 'Boot logs' },
] as const

const ComparePane = () => {
  const [subject, setSubject] = useState<(typeof SUBJECTS)[number]['value']>('registers')
  const Compared = subject === 'registers' ? ComparedRegisters : ComparedLogs
  return (
    <Compared>
      <Segments label="What is compared" value={subject} options={SUBJECTS} onChange={setSubject} />
    </Compared>
  )
}

export default ComparePane
