; class 3: x32 own numbers
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_kexec_load, deny
jeq #__NR_kexec_file_load, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
