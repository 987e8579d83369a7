; class 22: returns what it computes: a quotient, which can be any word
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
ret a
foreign: ret kill_process
