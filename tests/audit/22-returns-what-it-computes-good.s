; the repaired twin of 22-returns-what-it-computes-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #0, divide
ret errno(EPERM)
divide: ld lo32(arg0)
jeq #0, foreign
tax
ld lo32(arg1)
div x
jeq #7, allow
ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
